require ["variables","fileinto"];
set :length "a" "äöü😀"; fileinto "${a}";
