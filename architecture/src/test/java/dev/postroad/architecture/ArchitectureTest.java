package dev.postroad.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** What holds between the modules, and what no code of a kind may do. ARCHITECTURE.md gives the reasons. */
class ArchitectureTest {
    private static final String ROOT = "dev.postroad";

    /** Parts whose business it is to write to the terminal. The testkit tells the seeds of random tests. */
    private static final Set<String> TALKATIVE =
            Set.of("cli", "cli.doctor", "benchmarks", "examples.*", "testkit", "fuzzing", "proof", "simulation.broker");

    /** The journal's own edge: its storage on a real disk. */
    private static final Set<String> FILES_OF_THE_JOURNAL =
            Set.of(ROOT + ".journal.FileStorage", ROOT + ".journal.ChannelFile");

    private static final Reactor REACTOR = Reactor.ofThisBuild();
    private static final JavaClasses CODE = REACTOR.mainCode();

    @Test
    void everyModuleIsChecked() {
        Set<String> unchecked = REACTOR.mainClasses();
        CODE.forEach(type -> unchecked.remove(type.getName()));

        assertThat(unchecked)
                .as("classes of modules that architecture/pom.xml does not depend on")
                .isEmpty();
    }

    @Test
    void everyPackageBelongsToAPart() {
        Set<String> homeless = new TreeSet<>();
        for (JavaClass type : CODE) {
            if (Part.owning(type.getPackageName()).isEmpty()) {
                homeless.add(type.getPackageName());
            }
        }

        assertThat(homeless).as("packages of no part in Part.ALL").isEmpty();
    }

    @Test
    void arrowsPointDownOnly() {
        classes()
                .should(new ArchCondition<JavaClass>("use only the parts that their own part may know") {
                    @Override
                    public void check(JavaClass type, ConditionEvents events) {
                        Part part = Part.owning(type.getPackageName()).orElseThrow();
                        for (Dependency arrow : type.getDirectDependenciesFromSelf()) {
                            String to = arrow.getTargetClass()
                                    .getBaseComponentType()
                                    .getPackageName();
                            if (isWithin(to, ROOT)
                                    && !part.mayUse(Part.owning(to).orElseThrow())) {
                                events.add(SimpleConditionEvent.violated(type, arrow.getDescription()));
                            }
                        }
                    }
                })
                .check(CODE);
    }

    @Test
    void noPackagesFormACycle() {
        slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(CODE);
    }

    @Test
    void packagesAreNamedForWhatTheyHold() {
        noClasses()
                .should()
                .resideInAnyPackage(
                        "..impl..",
                        "..internal..",
                        "..util..",
                        "..utils..",
                        "..common..",
                        "..helper..",
                        "..helpers..",
                        "..manager..",
                        "..misc..")
                .check(CODE);
    }

    @Test
    void everyPackageIsNullMarked() {
        Set<String> unmarked = new TreeSet<>();
        for (JavaClass type : CODE) {
            if (!type.getPackage().isAnnotatedWith(NullMarked.class)) {
                unmarked.add(type.getPackageName());
            }
        }

        assertThat(unmarked).as("packages without a @NullMarked package-info").isEmpty();
    }

    /** Time, chance, threads and files come in through interfaces, so that a seed replays a whole broker. */
    @Test
    void theCoreIsDeterministic() {
        noClasses()
                .that(describe("are of the core", ArchitectureTest::isCore))
                .should()
                .accessTargetWhere(target(nondeterministic()))
                .check(CODE);
    }

    private static boolean isCore(JavaClass type) {
        String owner = type.getPackageName();
        boolean edge = isWithin(owner, ROOT + ".engine.runtime") || FILES_OF_THE_JOURNAL.contains(outermost(type));
        return (isWithin(owner, ROOT + ".engine") || isWithin(owner, ROOT + ".journal")) && !edge;
    }

    private static DescribedPredicate<AccessTarget> nondeterministic() {
        return describe("clocks, threads, chance and files", target -> {
            String owner = target.getOwner().getName();
            String member = target.getName();
            return switch (owner) {
                case "java.lang.System" ->
                    Set.of("currentTimeMillis", "nanoTime", "getenv").contains(member);
                case "java.lang.Math", "java.lang.StrictMath" -> member.equals("random");
                case "java.util.UUID" -> member.equals("randomUUID");
                case "java.lang.Thread" ->
                    Set.of("<init>", "start", "startVirtualThread", "ofVirtual", "ofPlatform", "sleep", "yield")
                            .contains(member);
                case "java.util.Date" -> member.equals("<init>");
                case "java.net.URLEncoder", "java.net.URLDecoder" -> false; // text in, text out
                case "java.time.Clock" -> member.startsWith("system") || member.startsWith("tick");
                case "java.util.Random",
                        "java.util.SplittableRandom",
                        "java.security.SecureRandom",
                        "java.util.concurrent.ThreadLocalRandom",
                        "java.util.Timer",
                        "java.util.concurrent.Executors",
                        "java.util.concurrent.ForkJoinPool",
                        "java.util.concurrent.ThreadPoolExecutor",
                        "java.util.concurrent.ScheduledThreadPoolExecutor",
                        "java.lang.ProcessBuilder",
                        "java.lang.Runtime",
                        "java.nio.file.Files",
                        "java.nio.file.FileSystems",
                        "java.nio.channels.FileChannel",
                        "java.nio.channels.AsynchronousFileChannel",
                        "java.io.File",
                        "java.io.FileInputStream",
                        "java.io.FileOutputStream",
                        "java.io.FileReader",
                        "java.io.FileWriter",
                        "java.io.RandomAccessFile" -> true;
                default -> (owner.startsWith("java.time.") && member.equals("now")) || owner.startsWith("java.net.");
            };
        });
    }

    /** A class named by bytes from outside is how messaging servers have been taken over. */
    @Test
    void noClassIsFoundByItsName() {
        noClasses()
                .should()
                .dependOnClassesThat(describe(
                        "are for serialization, naming services or scripts",
                        type -> Set.of("java.io.ObjectInputStream", "java.beans.XMLDecoder")
                                        .contains(type.getName())
                                || isWithin(type.getPackageName(), "javax.naming")
                                || isWithin(type.getPackageName(), "javax.script")
                                || isWithin(type.getPackageName(), "java.rmi")))
                .check(CODE);
        noClasses()
                .should()
                .accessTargetWhere(target(describe(
                        "load a class by its name",
                        target -> (target.getOwner().getName().equals("java.lang.Class")
                                        && target.getName().equals("forName"))
                                || target.getName().equals("loadClass"))))
                .check(CODE);
    }

    @Test
    void onlyProgramsWriteToTheTerminal() {
        noClasses()
                .that(describe("are not of a program", type -> !isTalkative(type)))
                .should()
                .accessTargetWhere(describe("write to the terminal", ArchitectureTest::writesToTheTerminal))
                .check(CODE);
    }

    private static boolean isTalkative(JavaClass type) {
        return Part.owning(type.getPackageName())
                .map(part -> TALKATIVE.stream().anyMatch(part::is))
                .orElse(false);
    }

    private static boolean writesToTheTerminal(JavaAccess<?> access) {
        String member = access.getTarget().getName();
        return (access.getTargetOwner().getName().equals("java.lang.System")
                        && (member.equals("out") || member.equals("err")))
                || (member.equals("printStackTrace")
                        && access.getTarget() instanceof AccessTarget.MethodCallTarget method
                        && method.getRawParameterTypes().isEmpty());
    }

    /** Tests await events or move a virtual clock. */
    @Test
    void testsDoNotSleep() {
        String sleep = "Thread" + ".sleep(";
        List<String> sleepers = REACTOR.testSources().stream()
                .filter((Path file) -> Reactor.read(file).contains(sleep))
                .map(REACTOR::nameOf)
                .toList();

        assertThat(sleepers).as("tests that wait by the clock").isEmpty();
    }

    /** {@code ./postroad} builds its programs without tests, and resolves all that they depend on. */
    @Test
    void programsAreBuiltWithoutJarsOfTests() {
        List<String> poms = REACTOR.modules().stream()
                .map(module -> module.resolve("pom.xml"))
                .filter(pom -> Reactor.read(pom).contains("<artifactId>maven-dependency-plugin"))
                .filter(pom -> Reactor.read(pom).split("<profiles>", 2)[0].contains("<type>test-jar"))
                .map(REACTOR::nameOf)
                .toList();

        assertThat(poms).as("programs that a quick build can't build").isEmpty();
    }

    private static boolean isWithin(String packageName, String parent) {
        return packageName.equals(parent) || packageName.startsWith(parent + ".");
    }

    private static String outermost(JavaClass type) {
        String name = type.getName();
        int inner = name.indexOf('$');
        return inner < 0 ? name : name.substring(0, inner);
    }
}
