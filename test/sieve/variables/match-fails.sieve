require ["variables","fileinto"];
if string :matches "ab" "?b" { if string :matches "x" "?y" { discard; } fileinto "${1}"; }
