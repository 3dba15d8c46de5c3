require ["include","fileinto","variables"];
include :optional "a"; discard;
