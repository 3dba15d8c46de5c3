require ["fileinto","vacation"];
