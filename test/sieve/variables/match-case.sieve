require ["variables","fileinto"];
if header :matches "subject" "QUARTERLY ?EPORT*" { fileinto "${1}"; }
