require ["variables","fileinto"];
set "a" "ab😀c"; fileinto "${a}";
