require ["encoded-character","reject"]; reject "${hex:40 ${hex:4g} ${unicode:40} ${ unicode:40} ${hex:400}";
