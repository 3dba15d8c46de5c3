require ["variables","fileinto"];
set "${a}" "1";
