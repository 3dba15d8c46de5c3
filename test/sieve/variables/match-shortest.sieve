require ["variables","fileinto"];
if string :matches "a-b-c-d" "*-*-*" { fileinto "${1}|${2}|${3}"; }
