require ["foreverypart","mime","extracttext","variables","fileinto"];
foreverypart { if header :mime :contenttype "content-type" "text/plain" { extracttext :first 4 :upper "t"; fileinto "${t}"; break; } }
