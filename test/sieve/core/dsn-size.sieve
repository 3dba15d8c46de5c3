require "fileinto"; fileinto "../../etc/passwd";
