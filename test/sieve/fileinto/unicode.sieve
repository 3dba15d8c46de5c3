require "fileinto"; fileinto "Entwürfe/日本";
