require "fileinto"; require ["fileinto", "fileinto"]; fileinto "A";
