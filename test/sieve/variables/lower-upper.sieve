require ["variables","fileinto"];
set :lower "a" "ABCÄ"; set :upper "b" "abcä"; set :upperfirst "c" "abc"; set :lowerfirst "d" "ABC"; fileinto "${a} ${b} ${c} ${d}";
