require ["variables","fileinto"];
set :lower :upper "a" "1";
