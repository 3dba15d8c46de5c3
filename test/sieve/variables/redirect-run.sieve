require ["variables","fileinto"];
set "a" "nobody";
redirect "${a}";
