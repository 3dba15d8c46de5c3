require ["include","fileinto","variables"];
include "a";
