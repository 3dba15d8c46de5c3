require ["include","fileinto","variables"];
include :personal :global "a";
