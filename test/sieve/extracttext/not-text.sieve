require ["foreverypart","mime","extracttext","variables","fileinto"];
foreverypart { if header :mime :contenttype "content-type" "application/pdf" { extracttext "t"; fileinto "[${t}]"; } }
