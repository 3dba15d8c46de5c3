require "fileinto"; fileinto "Lists/Chat";
