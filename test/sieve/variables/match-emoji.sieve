require ["variables", "fileinto", "comparator-i;unicode-casemap"];
if string :matches :comparator "i;unicode-casemap" "a😀b" "a?b" { fileinto "${1}"; }
