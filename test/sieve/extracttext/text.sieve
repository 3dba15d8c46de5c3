require ["foreverypart","mime","extracttext","variables","fileinto"];
foreverypart { if header :mime :contenttype "content-type" "text/plain" { extracttext "t"; fileinto "${t}"; break; } }
