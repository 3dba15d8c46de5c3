require ["variables","fileinto"];
set "a" "0123456789"; fileinto "${a}";
