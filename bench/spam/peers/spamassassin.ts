/** SpamAssassin of Debian: its rules and Bayes, no network, in one perl process with a folder of its own. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Filter, Session, Verdict } from './filter.ts';

/** Its own default for required_score. */
const REQUIRED = 5;

/** Reads "ham PATH", "spam PATH", "score PATH" or "sync" lines; answers each with one line. */
const PROGRAM = String.raw`
use strict; use warnings; use Mail::SpamAssassin;
my ($dir) = @ARGV;
my $sa = Mail::SpamAssassin->new({
  local_tests_only => 1, dont_copy_prefs => 1, userprefs_filename => "$dir/prefs", userstate_dir => $dir,
});
$sa->init(1);
$| = 1;
while (my $line = <STDIN>) {
  chomp $line;
  my ($what, $path) = split / /, $line, 2;
  if ($what eq 'sync') { $sa->rebuild_learner_caches(); print "ok\n"; next; }
  open(my $in, '<:raw', $path) or die $path;
  my @message = <$in>;
  close $in;
  my $mail = $sa->parse(\@message);
  if ($what eq 'score') {
    my $status = $sa->check($mail);
    printf "%.3f\n", $status->get_score();
    $status->finish();
  } else {
    my $status = $sa->learn($mail, undef, $what eq 'spam' ? 1 : 0, 0);
    $status->finish();
    print "ok\n";
  }
  $mail->finish();
}
`;

export const spamassassin: Filter = {
  name: 'spamassassin',
  slow: true,
  missing: () =>
    spawnSync('perl', ['-MMail::SpamAssassin', '-e', '1']).status === 0 ? undefined : 'not installed',
  begin: (dir) => session(dir),
};

function session(dir: string): Session {
  const program = join(dir, 'talk.pl');
  writeFileSync(program, PROGRAM);
  writeFileSync(
    join(dir, 'prefs'),
    `use_bayes 1\nbayes_path ${dir}/bayes\nbayes_auto_learn 0\nbayes_learn_to_journal 0\nbayes_auto_expire 0\n`,
  );
  const perl = spawn('perl', [program, dir], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ask = talker(perl);
  return {
    async learn(samples) {
      for (const one of samples) await ask(`${one.label} ${one.path}`);
      await ask('sync');
    },
    async judge(samples) {
      const out: Verdict[] = [];
      for (const one of samples) {
        const score = Number(await ask(`score ${one.path}`));
        out.push({ score, junk: score >= REQUIRED });
      }
      return out;
    },
    async end() {
      const gone = new Promise((resolve) => perl.once('exit', resolve));
      perl.stdin.end();
      await gone;
    },
  };
}

/** One line out, one line back. */
function talker(child: ChildProcessByStdio<Writable, Readable, null>): (line: string) => Promise<string> {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (line) => {
    child.stdin.write(`${line}\n`);
    const answer = await lines.next();
    if (answer.done) throw new Error(`SpamAssassin ended at "${line}"`);
    return answer.value;
  };
}
