require ["variables","fileinto"];
set :upperfirst :lower "a" "juMBlEd lETteRS"; fileinto "${a}";
