require ["encoded-character","reject"]; reject "${hex:c3}";
