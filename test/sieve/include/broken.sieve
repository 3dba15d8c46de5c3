require ["include","fileinto","variables"];
discard;
include "a";
