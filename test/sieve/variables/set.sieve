require ["variables","fileinto"];
set "a" "x"; fileinto "${a}${A}-${b}";
