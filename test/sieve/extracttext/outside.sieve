require ["foreverypart","mime","extracttext","variables","fileinto"];
extracttext "t";
