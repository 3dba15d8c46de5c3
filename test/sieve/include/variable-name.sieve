require ["include","fileinto","variables"];
include "${x}";
