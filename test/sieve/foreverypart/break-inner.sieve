require ["foreverypart","mime","fileinto","variables"];
set "n" "";
foreverypart { foreverypart { break; } set "n" "${n}x"; }
fileinto "${n}";
