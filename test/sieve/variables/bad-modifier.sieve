require ["variables","fileinto"];
set :uper "a" "1";
