require ["include","fileinto","variables"];
include "a"; fileinto "B";
