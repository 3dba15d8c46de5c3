require ["include","fileinto","variables"];
include "a";
include "a";
include "a";
