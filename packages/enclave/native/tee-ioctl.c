/*
 * Asks a TEE's device for its report: the one thing of the attester that Node cannot do, since it has no ioctl(2).
 *
 * The device is open already, as descriptor 3. One request is read from standard input, one answer is written to standard
 * output, and the program ends. It opens nothing, takes no arguments, and knows three calls; whoever talks to it chooses
 * one of them and 64 bytes for the report, and nothing else. No libc: what runs is what stands here.
 *
 *   request   u32 length (65) | u8 call | 64 bytes for the report
 *   answer    u32 length | u32 errno | u64 what firmware and hypervisor said (SEV-SNP) | the device's own answer
 *
 * Integers are little-endian. Exit status: 0 with an answer, which may tell of an error; 1 for a request that is none;
 * 2 where the answer could not be written.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

enum { READ = 0, WRITE = 1, IOCTL = 16, EXIT = 231 };
enum { STDIN = 0, STDOUT = 1, DEVICE = 3 };
enum { SNP_EXT_REPORT = 1, SNP_REPORT = 2, NSM_ATTESTATION = 3 };
enum { BINDING = 64, REPORT_ANSWER = 4000, CERTIFICATES = 0x4000, NSM_ANSWER = 0x3000 };

static long syscall3(long number, long first, long second, long third)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

static _Noreturn void end(int status)
{
    for (;;)
        syscall3(EXIT, status, 0, 0);
}

/* How many of `length` bytes there were before the end of standard input. */
static u64 read_all(void *into, u64 length)
{
    u64 done = 0;
    while (done < length) {
        long got = syscall3(READ, STDIN, (long)((u8 *)into + done), (long)(length - done));
        if (got <= 0)
            break;
        done += (u64)got;
    }
    return done;
}

static void write_all(const void *from, u64 length)
{
    u64 done = 0;
    while (done < length) {
        long put = syscall3(WRITE, STDOUT, (long)((const u8 *)from + done), (long)(length - done));
        if (put <= 0)
            end(2);
        done += (u64)put;
    }
}

struct answer_head {
    u32 length, error;
    u64 detail;
};

/* The answer: with an error, the head alone. */
static _Noreturn void answer(long result, u64 detail, const void *one, u64 one_length, const void *two, u64 two_length)
{
    int failed = result < 0;
    u64 body = failed ? 0 : one_length + two_length;
    struct answer_head head = {(u32)(12 + body), failed ? (u32)-result : 0, detail};
    write_all(&head, sizeof head);
    if (!failed) {
        write_all(one, one_length);
        write_all(two, two_length);
    }
    end(0);
}

/* linux/sev-guest.h */
struct snp_report_req {
    u8 user_data[BINDING];
    u32 vmpl;
    u8 reserved[28];
};
struct snp_ext_report_req {
    struct snp_report_req report;
    u64 certs_address;
    u32 certs_length;
};
struct snp_guest_request {
    u8 msg_version;
    u64 request, response, exitinfo2;
};

static struct snp_ext_report_req snp_request;
static u8 snp_answer[REPORT_ANSWER];
/* The most that the driver takes; it wants whole pages. */
static u8 certificates[CERTIFICATES] __attribute__((aligned(4096)));

/* The report is of VMPL 0, where Linux runs unless a paravisor is below it; then configfs-tsm is what one asks. */
static _Noreturn void ask_snp(long number, u64 certificates_length)
{
    struct snp_guest_request call = {1, (u64)&snp_request, (u64)snp_answer, 0};
    snp_request.certs_address = (u64)certificates;
    snp_request.certs_length = CERTIFICATES;
    long result = syscall3(IOCTL, DEVICE, number, (long)&call);
    answer(result, call.exitinfo2, snp_answer, REPORT_ANSWER, certificates, certificates_length);
}

/* linux/nsm.h; the request is CBOR: {"Attestation": {"user_data": the 64 bytes, "nonce": null, "public_key": null}} */
struct nsm_raw {
    u64 request, request_length, response, response_length;
};
static u8 nsm_request[] = "\xa1\x6b" "Attestation" "\xa3\x69" "user_data" "\x58\x40"
                          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                          "\x65" "nonce" "\xf6\x6a" "public_key" "\xf6";
enum { NSM_USER_DATA = 2 + 11 + 2 + 9 + 2 };
static u8 nsm_answer[NSM_ANSWER];

static _Noreturn void ask_nsm(void)
{
    struct nsm_raw call = {(u64)nsm_request, sizeof nsm_request - 1, (u64)nsm_answer, NSM_ANSWER};
    long result = syscall3(IOCTL, DEVICE, 0xC0200A00, (long)&call);
    u64 length = call.response_length > NSM_ANSWER ? 0 : call.response_length;
    answer(result, 0, nsm_answer, length, nsm_answer, 0);
}

static void copy(u8 *to, const u8 *from)
{
    for (int at = 0; at < BINDING; at++)
        to[at] = from[at];
}

__attribute__((force_align_arg_pointer)) _Noreturn void _start(void)
{
    struct __attribute__((packed)) {
        u32 length;
        u8 call, binding[BINDING], beyond;
    } request;
    if (read_all(&request, sizeof request) != sizeof request - 1 || request.length != 1 + BINDING)
        end(1);
    copy(snp_request.report.user_data, request.binding);
    copy(nsm_request + NSM_USER_DATA, request.binding);
    switch (request.call) {
    case SNP_EXT_REPORT:
        ask_snp(0xC0205302, CERTIFICATES);
    case SNP_REPORT:
        ask_snp(0xC0205300, 0);
    case NSM_ATTESTATION:
        ask_nsm();
    default:
        end(1);
    }
}
