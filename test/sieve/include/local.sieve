require ["include","fileinto","variables"];
set "x" "1"; include "a"; fileinto "[${x}]";
