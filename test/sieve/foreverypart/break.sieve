require ["foreverypart","mime","fileinto","variables"];
foreverypart { if header :mime :type "content-type" "text" { fileinto "text"; break; } }
