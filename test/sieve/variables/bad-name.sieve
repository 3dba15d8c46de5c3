require ["variables","fileinto"];
set "a-b" "1";
