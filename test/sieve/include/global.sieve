require ["include","fileinto","variables"];
include :global "a";
