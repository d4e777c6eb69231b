/**
 * What is said to both containerds, one `ctr` command after another: a whole working day with an image.
 * Garbage is collected soon after a deletion; `images rm --sync` waits for it, before anything that nobody points at.
 * `{name}` is filled in; single quotes keep words together. `<` gives the standard input, to a container when
 * ctr hears it. `until WORD:` asks again until the answer has the word, for what a command has only begun.
 */
export const COMMANDS = `
version
namespaces ls
namespaces create demo a=b
namespaces create demo
namespaces create 'no good'
namespaces label demo c=d
namespaces label demo a=
namespaces ls
namespaces rm nothing
namespaces rm demo
namespaces label born a=b
namespaces ls
namespaces rm born
namespaces ls

images ls
images import {archive}
images import {nonsense}
images ls
images ls -q
images ls name=={image}
images check
images label {image} use=test
images tag {image} example.com/test/copy:1
images tag {image} example.com/test/copy:1
images tag --force {image} example.com/test/copy:1
images tag example.com/nothing:1 example.com/other:1
images ls -q
images rm example.com/test/copy:1
images rm example.com/nothing:1
images export {root}/out.tar {image}
images export {root}/none.tar example.com/nothing:1

images tag {image} example.com/settle:1
images rm --sync example.com/settle:1
content ls
content ls -q
content get {manifest}
content get {config}
content get {missing}
content get nonsense
content label {config} use=test
images tag {image} example.com/settle:1
images rm --sync example.com/settle:1
content ingest --expected-digest {greeting} --expected-size 6 greeting < hello
content ingest --expected-digest {missing} greeting-2 < hello
content ingest --expected-size 7 greeting-3 < hello
content ingest --expected-digest {greeting} greeting-4 < hello
content active
content get {greeting}
content rm {greeting}
content rm {greeting}

snapshots ls
snapshots ls kind==committed
snapshots ls kind==view
snapshots tree
snapshots info {chain}
snapshots info nothing
snapshots usage
snapshots prepare box {chain}
snapshots prepare box {chain}
snapshots prepare orphan nothing
images tag {image} example.com/settle:1
images rm --sync example.com/settle:1
snapshots view look {chain}
snapshots label look containerd.io/gc.root=kept
snapshots mounts /mnt box
snapshots mounts /mnt look
snapshots mounts /mnt {chain}
snapshots label box use=test
snapshots info box
snapshots tree
snapshots rm {chain}
snapshots diff --media-type application/vnd.oci.image.layer.v1.tar box
snapshots commit boxed box
snapshots commit boxed look
snapshots ls
snapshots prepare base
snapshots mounts /mnt base
snapshots rm boxed
snapshots rm look base
snapshots rm nothing

containers create {image} idle sleep 1000
containers create {image} idle sleep 1000
containers create example.com/nothing:1 other
containers ls
containers ls -q
containers ls id==idle
containers info idle
containers label idle use=test
containers info nothing
tasks ls
tasks ps idle
tasks rm idle
tasks start -d idle
tasks start -d idle
tasks ls
tasks ps idle
tasks exec --exec-id one idle sh -c 'read go; echo said' < go
tasks exec --exec-id two idle sh -c 'read go; echo wrong >&2; exit 3' < go
tasks exec --exec-id three --cwd /etc --user user idle sh -c 'read go; pwd; id -u' < go
tasks exec --exec-id four idle nothing
tasks exec --exec-id five nothing true
tasks pause idle
tasks ls
tasks resume idle
tasks ls
tasks metrics idle
tasks metrics nothing
tasks rm idle
containers rm idle
tasks kill --signal NONSENSE idle
tasks kill --signal SIGKILL idle
until STOPPED: tasks ls
tasks rm idle
tasks rm idle
tasks ls
containers rm idle
containers rm idle
containers ls

run --rm {image} one < go
run --rm {image} two sh -c 'read go; echo hello world' < go
run --rm {image} three sh -c 'exit 7'
run --rm --env A=b --cwd /tmp {image} four sh -c 'read go; echo $A $FROM_IMAGE; pwd' < go
run --rm --read-only {image} five sh -c 'read go; touch /x' < go
run --rm --memory-limit 33554432 {image} six sh -c 'read go; cat /etc/motd /etc/old' < go
run --rm {image} seven nothing
run --rm {image} seven2 /etc
run -d {image} nine sleep 1000
run -d {image} nine sleep 1000
tasks kill -s SIGTERM nine
tasks kill -s SIGKILL nine
until STOPPED: tasks ls
tasks rm nine
containers rm nine
run --rm example.com/nothing:1 ten
containers ls
snapshots ls

images push --plain-http {registry}/test/pushed:1 {image}
images pull --plain-http {registry}/test/pushed:1
images pull --plain-http {registry}/test/nothing:1
images ls
run --rm {registry}/test/pushed:1 eleven sh -c 'read go; cat /etc/motd' < go

leases create --id held use=test
leases create --id held
leases ls -q
leases rm held
leases rm held
leases ls -q

images rm --sync {image}
images rm --sync {registry}/test/pushed:1
images ls
content ls -q
snapshots ls
images import --no-unpack {archive}
snapshots ls
snapshots unpack {manifest}
snapshots ls
images rm --sync {image}
content ls
snapshots ls
`
  .split('\n')
  .filter((line) => line !== '');

/** `a 'b c' < d` → the words and the input. */
export const wordsOf = (
  line: string,
  values: Readonly<Record<string, string>>,
): {
  readonly args: string[];
  readonly input: string | undefined;
  readonly until: string;
} => {
  const [, until = '', said = ''] = /^(?:until (\w+): )?(.*)$/.exec(line) ?? [];
  const [command = '', input] = said.split(' < ');
  const fill = (word: string): string =>
    word.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  const args = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) =>
    fill(quoted ?? plain ?? ''),
  );
  return { args, input: input === undefined ? undefined : `${input}\n`, until };
};
