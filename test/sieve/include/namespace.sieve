require ["include","fileinto","variables"];
set "global.x" "1"; include "a";
