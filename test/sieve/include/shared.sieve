require ["include","fileinto","variables"];
global "x"; set "x" "1"; include "a"; fileinto "${x}";
