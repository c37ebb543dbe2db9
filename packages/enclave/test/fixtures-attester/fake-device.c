/*
 * A device that exists nowhere: runs a program under ptrace(2), tells what its first ioctl(2) was asked to do, and answers
 * in the kernel's place. Descriptor 4 is the script, descriptor 5 takes the record.
 *
 *   script   i64 result | u64 value for `detail` | u64 length of `answer` | answer, for the buffer that the request names
 *   record   u64 number | u64 descriptor | 32 bytes that the argument points to | 128 bytes that their second
 *            (/dev/sev-guest) or first (/dev/nsm) word points to
 *
 * argv[1] is the program, argv[2] one letter: s (sev-guest) or n (nsm). No libc, so that a compiler is all that it takes.
 */
typedef unsigned char u8;
typedef unsigned long u64;
typedef long i64;

enum { READ = 0, WRITE = 1, FORK = 57, EXECVE = 59, WAIT4 = 61, PTRACE = 101, EXIT = 231 };
enum { TRACEME = 0, PEEK = 2, POKE = 5, GETREGS = 12, SETREGS = 13, CONT_SYSCALL = 24, CONT = 7, IOCTL = 16 };
enum { SCRIPT = 4, RECORD = 5, ANSWER_MAX = 4000 + 0x4000 };

struct registers {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
    u64 rip, cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};

static i64 call(i64 number, i64 one, i64 two, i64 three, i64 four)
{
    i64 result;
    register i64 r10 __asm__("r10") = four;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(one), "S"(two), "d"(three), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static _Noreturn void end(int status)
{
    for (;;)
        call(EXIT, status, 0, 0, 0);
}

static i64 child;
static struct registers registers;
static struct {
    i64 result;
    u64 detail, length;
    u8 answer[ANSWER_MAX];
} script;

static i64 trace(i64 what, u64 at, void *data)
{
    return call(PTRACE, what, child, (i64)at, (i64)data);
}

static void peek(u64 at, u64 *into, int words)
{
    for (int word = 0; word < words; word++)
        trace(PEEK, at + 8 * (u64)word, into + word);
}

static void poke(u64 at, const u8 *from, u64 length)
{
    for (u64 done = 0; done < length; done += 8)
        trace(POKE, at + done, (void *)*(const u64 *)(from + done));
}

/* Runs on to the next stop; the exit status of the program is this one's. */
static void next(i64 how)
{
    int status = 0;
    if (how != 0 && trace(how, 0, 0) < 0)
        end(90);
    call(WAIT4, child, (i64)&status, 0, 0);
    if ((status & 0x7f) == 0)
        end((status >> 8) & 0xff);
}

static void answer_in_place_of_kernel(char device)
{
    u64 argument[4], request[16], record[2] = {registers.rsi, registers.rdi};
    peek(registers.rdx, argument, 4);
    peek(device == 's' ? argument[1] : argument[0], request, 16);
    call(WRITE, RECORD, (i64)record, sizeof record, 0);
    call(WRITE, RECORD, (i64)argument, sizeof argument, 0);
    call(WRITE, RECORD, (i64)request, sizeof request, 0);
    registers.orig_rax = (u64)-1;
    trace(SETREGS, 0, &registers);
    next(CONT_SYSCALL);
    u64 first = device == 's' && script.length > 4000 ? 4000 : script.length;
    poke(argument[2], script.answer, first);
    if (script.length > first)
        poke(request[12], script.answer + first, script.length - first);
    poke(registers.rdx + 24, (const u8 *)&script.detail, 8);
    trace(GETREGS, 0, &registers);
    registers.rax = (u64)script.result;
    trace(SETREGS, 0, &registers);
}

static void read_script(void)
{
    u8 *to = (u8 *)&script;
    for (u64 done = 0;;) {
        i64 got = call(READ, SCRIPT, (i64)(to + done), (i64)(sizeof script - done), 0);
        if (got <= 0)
            return;
        done += (u64)got;
    }
}

static _Noreturn __attribute__((used)) void run(u64 *stack)
{
    char **argv = (char **)(stack + 1);
    char *arguments[] = {argv[1], 0}, *environment[] = {0};
    read_script();
    child = call(FORK, 0, 0, 0, 0);
    if (child == 0) {
        call(PTRACE, TRACEME, 0, 0, 0);
        call(EXECVE, (i64)argv[1], (i64)arguments, (i64)environment, 0);
        end(91);
    }
    next(0);
    for (;;) {
        next(CONT_SYSCALL);
        trace(GETREGS, 0, &registers);
        if (registers.orig_rax == IOCTL)
            break;
    }
    answer_in_place_of_kernel(argv[2][0]);
    for (;;)
        next(CONT);
}

__attribute__((naked)) void _start(void)
{
    __asm__("mov %rsp, %rdi\n\tand $-16, %rsp\n\tcall run");
}
