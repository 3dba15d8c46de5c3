require ["foreverypart","mime","replace"];
replace "Grüße";
