require "fileinto"; fileinto "a"; fileinto "A";
