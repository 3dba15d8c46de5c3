require ["variables","fileinto"]; if string :matches "a😀b" "a?b" { fileinto "${1}"; }
