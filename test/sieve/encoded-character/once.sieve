require ["encoded-character","reject"]; reject "${hex:24}{hex:40}";
