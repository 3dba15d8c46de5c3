require ["variables","fileinto"];
discard;
fileinto "${a}";
