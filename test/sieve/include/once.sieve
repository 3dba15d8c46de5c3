require ["include","fileinto","variables"];
include :once "a"; include :once "a"; include "a";
