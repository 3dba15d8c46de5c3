require ["encoded-character","reject"]; reject "${hex:4${hex:30}}";
