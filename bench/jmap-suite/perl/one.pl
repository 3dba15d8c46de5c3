#!/usr/bin/perl
# Run tests of the suite: each line of standard input is one, {suite, lib, class, file, test, site, seconds}, each line of
# standard output its result, {outcome, message}. A test runs in a process of its own, made from this one, which has
# loaded what all of them need.
use strict;
use warnings;
no warnings 'once';
use JSON;
use POSIX ();
use File::Basename qw(dirname);
use Cwd qw(abs_path);

my $here;
BEGIN { $here = abs_path(dirname(__FILE__)) }
my ($suite, @lib) = @ARGV;
chdir $suite or die "$suite: $!";
unshift @INC, $suite, @lib;
delete @ENV{qw(HTTP_PROXY http_proxy HTTPS_PROXY https_proxy ALL_PROXY all_proxy)};

# All that is ours is loaded first: "use lib '.'" in the suite would find its own instead.
my @ours = qw(
    Cassandane/Util/Log Cassandane/Config Cassandane/Tiny/Loader Net/CalDAVTalk Net/CardDAVTalk Cyrus/DList
    Postern/UserAgent Cassandane/Instance Cassandane/Cyrus/TestCase
);
for my $module (@ours) {
    unshift @INC, $here;
    require "$module.pm";
}
open my $told, '>&', \*STDOUT or die $!;
open STDOUT, '>&', \*STDERR or die $!;

my $self;

sub run_one {
    my ($given) = @_;
    my $done = eval {
        $Cassandane::Cyrus::TestCase::SITE = $given->{site};
        $Cassandane::Tiny::Loader::FILE    = $given->{file};
        my $class = "Cassandane::Cyrus::$given->{class}";
        eval "require $class; 1" or die $@;
        $self = $class->new($given->{test});
        $self->{_name} = $given->{test};
        $self->set_up();
        my $method = $given->{test};
        $self->$method();
        1;
    };
    my @failed = (@Cassandane::Cyrus::TestCase::FAILED, $done ? () : "$@");
    return { outcome => 'passed' } if !@failed;
    return { outcome => 'failed', message => substr join('', @failed), 0, 6000 };
}

while (my $line = <STDIN>) {
    my $given = decode_json($line);
    pipe my $from, my $to or die $!;
    my $pid = fork // die $!;
    if (!$pid) {
        print {$to} encode_json(run_one($given));
        close $to;
        # Connections are left to the system: nothing waits for a goodbye.
        POSIX::_exit(0);
    }
    close $to;
    my $text = '';
    eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm $given->{seconds};
        $text .= $_ while <$from>;
        alarm 0;
        1;
    } or kill 'KILL', $pid;
    waitpid $pid, 0;
    $text = encode_json({ outcome => 'failed', message => 'it took too long, or ended at once' }) if $text eq '';
    syswrite $told, "$text\n";
}
