require ["foreverypart","mime","fileinto","variables"];
foreverypart { stop; } discard;
