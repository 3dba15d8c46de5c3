require ["variables","fileinto"];
set :quotewildcard :length "a" "**"; fileinto "${a}";
