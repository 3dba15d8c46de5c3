require ["variables","fileinto"];
if string :matches "ab" "?b" { fileinto "${1}${2}${17}"; }
