require ["variables","fileinto"];
set "1" "1";
